import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropStart } from './file-blob-writer.ts';

test('after a short write the rest begins at the first byte that was not written', () => {
  const pieces = ['ab', '', 'cde', 'f'].map((text) => Buffer.from(text));
  const whole = Buffer.concat(pieces);
  for (let sizeBytes = 0; sizeBytes <= whole.byteLength; sizeBytes++) {
    const rest = dropStart(pieces, sizeBytes);
    assert.equal(Buffer.concat(rest).toString(), whole.subarray(sizeBytes).toString());
    assert.equal(rest.length === 0, sizeBytes === whole.byteLength);
  }
  assert.equal(Buffer.concat(pieces).toString(), 'abcdef', 'the pieces themselves stay as they are');
});
