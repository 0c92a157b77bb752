import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Commit } from '../catalog.ts';
import { decodeBatch, encodeCommit, joinBatch } from './commit-batch.ts';

test('a batch comes back as it went', () => {
  const bytes = (text: string): Buffer => Buffer.from(text);
  const commits: Commit[] = [
    {},
    {
      checks: [
        { kind: 'value', key: bytes('a'), value: bytes('1') },
        { kind: 'value', key: bytes('b'), value: bytes('') },
        { kind: 'value', key: bytes('c'), value: undefined },
        { kind: 'empty', start: bytes(''), end: bytes('zz') },
      ],
      puts: [{ key: bytes('p'), value: bytes('') }, { key: bytes('q'), value: Buffer.alloc(100_000, 'q') }],
      deletes: [bytes('x'), bytes('yy')],
    },
    { deletes: [bytes('only')] },
  ];
  const decoded = decodeBatch(new Uint8Array(joinBatch(commits.map(encodeCommit))));
  assert.deepEqual(decoded, commits.map(({ checks = [], deletes = [], puts = [] }) => ({ checks, deletes, puts })));
});
