// @medplum/core against the service at FHIR_URL.
import { MedplumClient, OperationOutcomeError } from '@medplum/core';
import { assert, base, check, done, patient, unique } from './check.js';

const cut = base.lastIndexOf('/');
const client = new MedplumClient({ baseUrl: base.slice(0, cut + 1), fhirUrlPath: base.slice(cut + 1) });
let made;

/** rejects wants an OperationOutcome whose first issue has one of the codes. */
const rejects = (promise, ...codes) =>
  assert.rejects(promise, (err) => {
    assert.ok(err instanceof OperationOutcomeError, `got ${err}`);
    assert.ok(codes.includes(err.outcome.issue[0].code), `code is ${err.outcome.issue[0].code}`);
    return true;
  });

await check('creates and reads', async () => {
  made = await client.createResource(patient(0));
  assert.equal(made.meta.versionId, '1');
  assert.deepEqual((await client.readResource('Patient', made.id, { cache: 'reload' })).name, made.name);
});
await check('updates, and reads the version before', async () => {
  const updated = await client.updateResource({ ...made, active: true });
  assert.equal(updated.meta.versionId, '2');
  const old = await client.readVersion('Patient', made.id, '1');
  assert.equal(old.active, undefined);
});
await check('keeps what did not change', async () => {
  const again = await client.updateResource({ ...made, active: true });
  assert.equal(again.meta.versionId, '2');
});
await check('patches', async () => {
  const patched = await client.patchResource('Patient', made.id, [{ op: 'replace', path: '/gender', value: 'other' }]);
  assert.equal(patched.gender, 'other');
});
await check('reads the history', async () => {
  const history = await client.readHistory('Patient', made.id);
  assert.ok(history.entry.length >= 2);
});
await check('creates on a condition, once', async () => {
  const query = `identifier=urn:npm|${unique}-1`;
  const first = await client.createResourceIfNoneExist(patient(1), query);
  const second = await client.createResourceIfNoneExist(patient(1), query);
  assert.equal(first.id, second.id);
});
await check('updates on a condition', async () => {
  const first = await client.upsertResource(patient(1), { identifier: `urn:npm|${unique}-1` });
  const second = await client.upsertResource({ ...patient(1), active: true }, { identifier: `urn:npm|${unique}-1` });
  assert.equal(first.id, second.id);
  assert.equal(second.active, true);
});
await check('searches and follows pages', async () => {
  for (let n = 2; n < 7; n++) await client.createResource(patient(n));
  const ids = new Set();
  let pages = 0;
  for await (const page of client.searchResourcePages('Patient', { family: unique, _count: 3 })) {
    pages++;
    page.forEach((resource) => ids.add(resource.id));
  }
  assert.equal(ids.size, 7);
  assert.equal(pages, 3);
});
await check('searches with values that need escaping', async () => {
  const found = await client.searchOne('Patient', { identifier: `urn:npm|${unique}-2` });
  assert.equal(found.name[0].family, unique);
});
await check('counts', async () => {
  const bundle = await client.search('Patient', { family: unique, _summary: 'count' });
  assert.equal(bundle.total, 7);
});
await check('sends a transaction', async () => {
  const response = await client.executeBatch({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1', resource: patient(8), request: { method: 'POST', url: 'Patient' } },
      {
        resource: { resourceType: 'Observation', status: 'final', code: { text: unique }, subject: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1' } },
        request: { method: 'POST', url: 'Observation' },
      },
    ],
  });
  assert.equal(response.type, 'transaction-response');
  const found = await client.searchResources('Observation', { 'subject:Patient.identifier': `${unique}-8` });
  assert.equal(found.length, 1);
});
await check('is told that a transaction failed', async () => {
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: `Patient/${unique}` } }] };
  await rejects(client.executeBatch(bundle), 'processing', 'not-found');
});
await check('is told of what is not there', () => rejects(client.readResource('Patient', unique), 'not-found'));
await check('is told of what is invalid', () => rejects(client.createResource({ resourceType: 'Patient', gender: 'mail' }), 'invalid', 'value', 'code-invalid'));
await check('deletes', async () => {
  await client.deleteResource('Patient', made.id);
  await assert.rejects(client.readResource('Patient', made.id, { cache: 'reload' }), OperationOutcomeError);
});
done();
