import assert from 'node:assert/strict';
import { z } from 'zod';
import { personal } from '../../catalog/field.ts';
import { catalog, personalPaths, resources } from '../../catalog/index.ts';

describe('personal fields', () => {
  it('are found in objects, lists and what may be null', () => {
    const schema = z.object({
      a: personal(z.string()),
      list: z.array(z.object({ b: personal(z.string()).nullable(), c: z.string() })),
      maybe: z.object({ d: personal(z.array(z.string())).optional() }).nullable(),
    });
    assert.deepEqual(personalPaths(schema), [['a'], ['list', '*', 'b'], ['maybe', 'd']]);
  });

  it('keep their description', () => {
    assert.equal(personal(z.string().describe('Who.')).meta()?.description, 'Who.');
  });

  it('stay marked when they are described later', () => {
    assert.deepEqual(personalPaths(z.object({ a: personal(z.string()).describe('Who.') })), [['a']]);
  });

  it('are the name and the address of the customer of an order', () => {
    const details = catalog.get('get_order_details');
    assert.deepEqual(details && personalPaths(details.output), [
      ['customer', 'name'],
      ['customer', 'email'],
    ]);
  });

  it('are the name of a driver', () => {
    const record = resources.find(({ name }) => name === 'order_record');
    assert.deepEqual(record && personalPaths(record.output), [['delivery', 'driver', 'name']]);
  });
});
