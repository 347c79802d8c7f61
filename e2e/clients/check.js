// What the scripts of the clients share: named checks, one line each.
import assert from 'node:assert/strict';

const base = process.env.FHIR_URL;
assert.ok(base, 'FHIR_URL is the base URL of the service');

export const unique = `npm${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
export { assert, base };

let failed = 0;

/** Runs one check and prints "ok" or "not ok" with its name. */
export async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (err) {
    failed++;
    console.log(`not ok ${name}: ${err.stack ?? err}`);
    if (err.response) console.log(JSON.stringify(err.response.data)?.slice(0, 400));
    if (err.outcome) console.log(JSON.stringify(err.outcome).slice(0, 400));
  }
}

/** Ends the process: with 1 when a check failed. */
export function done() {
  process.exit(failed ? 1 : 0);
}

export const patient = (n) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:npm', value: `${unique}-${n}` }],
  name: [{ family: unique, given: [`Given${n}`] }],
  gender: n % 2 ? 'female' : 'male',
});
