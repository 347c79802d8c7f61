// fhir-kit-client against the service at FHIR_URL.
import { Client } from 'fhir-kit-client';
import { assert, base, check, done, patient, unique } from './check.js';

const client = new Client({ baseUrl: base });
const resourceType = 'Patient';
let made;

await check('reads the capability statement', async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.fhirVersion, '4.0.1');
});
await check('creates and reads', async () => {
  made = await client.create({ resourceType, body: patient(0) });
  assert.equal(made.meta.versionId, '1');
  assert.deepEqual((await client.read({ resourceType, id: made.id })).name, made.name);
});
await check('updates, and reads the version before', async () => {
  const updated = await client.update({ resourceType, id: made.id, body: { ...made, active: true } });
  assert.equal(updated.meta.versionId, '2');
  const old = await client.vread({ resourceType, id: made.id, version: '1' });
  assert.equal(old.active, undefined);
});
await check('patches', async () => {
  const jsonPatch = [{ op: 'replace', path: '/gender', value: 'other' }];
  const patched = await client.patch({ resourceType, id: made.id, jsonPatch });
  assert.equal(patched.gender, 'other');
});
await check('reads the history', async () => {
  const history = await client.history({ resourceType, id: made.id });
  assert.equal(history.type, 'history');
  assert.ok(history.entry.length >= 2);
});
await check('creates on a condition, once', async () => {
  const options = { headers: { 'If-None-Exist': `identifier=urn:npm|${unique}-1` } };
  const first = await client.create({ resourceType, body: patient(1), options });
  const second = await client.create({ resourceType, body: patient(1), options });
  assert.equal(first.id, second.id);
});
await check('searches and follows pages', async () => {
  for (let n = 2; n < 7; n++) await client.create({ resourceType, body: patient(n) });
  let bundle = await client.search({ resourceType, searchParams: { family: unique, _count: 3 } });
  const ids = new Set();
  let pages = 0;
  while (bundle) {
    pages++;
    bundle.entry.forEach((e) => ids.add(e.resource.id));
    bundle = await client.nextPage({ bundle });
  }
  assert.equal(ids.size, 7);
  assert.equal(pages, 3);
});
await check('searches with values that need escaping', async () => {
  const bundle = await client.search({ resourceType, searchParams: { identifier: `urn:npm|${unique}-2` } });
  assert.equal(bundle.entry.length, 1);
});
await check('searches by POST', async () => {
  const bundle = await client.search({ resourceType, searchParams: { family: unique, gender: 'female' }, options: { postSearch: true } });
  assert.equal(bundle.entry.length, 3);
});
await check('sends a transaction', async () => {
  const response = await client.transaction({
    body: {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: patient(8), request: { method: 'POST', url: 'Patient' } },
        {
          resource: { resourceType: 'Observation', status: 'final', code: { text: unique }, subject: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' } },
          request: { method: 'POST', url: 'Observation' },
        },
      ],
    },
  });
  assert.equal(response.type, 'transaction-response');
  const found = await client.search({ resourceType: 'Observation', searchParams: { 'subject:Patient.identifier': `${unique}-8` } });
  assert.equal(found.entry.length, 1);
});
await check('sends a batch', async () => {
  const response = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${made.id}` } }, { request: { method: 'GET', url: `Patient/${unique}` } }] } });
  assert.match(response.entry[0].response.status, /^200/);
  assert.match(response.entry[1].response.status, /^404/);
});
await check('is told of what is not there', async () => {
  await assert.rejects(client.read({ resourceType, id: unique }), (err) => {
    assert.equal(err.response.status, 404);
    assert.equal(err.response.data.resourceType, 'OperationOutcome');
    return true;
  });
});
await check('is told of what is invalid', async () => {
  await assert.rejects(client.create({ resourceType, body: { resourceType, gender: 'mail' } }), (err) => {
    assert.equal(err.response.status, 400);
    assert.equal(err.response.data.resourceType, 'OperationOutcome');
    return true;
  });
});
await check('deletes', async () => {
  await client.delete({ resourceType, id: made.id });
  await assert.rejects(client.read({ resourceType, id: made.id }), (err) => err.response.status === 410);
});
done();
