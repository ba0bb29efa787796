import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { listedInputSchema, personalPaths, wireOutputSchema } from '../../catalog/index.ts';
import { climate, climateReview, getTemperature } from '../../docs/examples/greenhouse.ts';

/** Class of defect: a helper that has grown so heavy that nobody writes a server with it (K-MCP-19). */
describe('the example of a whole server', () => {
  it('has a tool, a resource and a prompt in about fifteen lines', () => {
    const text = readFileSync(new URL('../../docs/examples/greenhouse.ts', import.meta.url), 'utf8');
    assert.ok(text.trimEnd().split('\n').length <= 16);
  });

  it('is listed like any other', () => {
    const { properties, required } = listedInputSchema(getTemperature);
    assert.deepEqual([Object.keys(properties ?? {}), required], [['warehouse'], ['warehouse']]);
    assert.ok(wireOutputSchema(getTemperature));
    assert.deepEqual(personalPaths(climate.output), []);
    assert.equal(climateReview.text({}), 'Check the temperature of every warehouse.');
    assert.equal(getTemperature.say({ warehouse: 'WH-2', celsius: 31 }), '31 °C in WH-2');
  });
});
