/** The server as a process with workers: what it says, how it stops, and what a crash costs (nothing). */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { RawConnection } from '../kit/raw-connection.ts';
import { sign } from '../kit/sign.ts';
import { runCommand, spawnServer, type SpawnedServer } from '../kit/spawn-server.ts';

const bucket = 'processes';

function clientOf(server: SpawnedServer, credentials = server.credentials): S3Client {
  return new S3Client({ endpoint: server.httpUrl, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 8 });
}

describe('coffer serve', () => {
  let server: SpawnedServer;
  let s3: S3Client;
  before(async () => {
    server = await spawnServer({ workers: 2 });
    s3 = clientOf(server);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  after(async () => {
    s3.destroy();
    await server.stop();
  });

  test('prints endpoints, credentials, the CA bundle and a command to paste', async () => {
    const output = server.output();
    assert.match(output, /HTTP +http:\/\/127\.0\.0\.1:\d+/);
    assert.match(output, /HTTPS +https:\/\/127\.0\.0\.1:\d+/);
    assert.match(output, new RegExp(`export AWS_ACCESS_KEY_ID=${server.credentials.accessKeyId}\n`));
    assert.ok(output.includes(`export AWS_SECRET_ACCESS_KEY=${server.credentials.secretAccessKey}\n`));
    const caPath = /export AWS_CA_BUNDLE=(\S+)/.exec(output)?.[1] as string;
    assert.match(await readFile(caPath, 'utf8'), /^-----BEGIN CERTIFICATE-----/);
    assert.match(output, new RegExp(`aws s3 cp \\S+ s3://\\S+ --sse aws:kms --endpoint-url ${server.httpsUrl}`));
    assert.equal((await stat(join(server.dataDir, 'credentials'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(server.dataDir, 'root.key'))).mode & 0o777, 0o600);
  });

  test('refuses a second server on the same data, and goes on itself', async () => {
    const { code, output } = await runCommand(['serve', '--data', server.dataDir, '--http', '127.0.0.1:0', '--https', 'off']);
    assert.equal(code, 1);
    assert.match(output, new RegExp(`another server is running on the data in ${server.dataDir} \\(process ${server.process.pid}\\)`));
    assert.equal((await fetch(`${server.httpUrl}/_/health`)).status, 200);
  });

  test('replaces workers that are killed under load, and keeps every acknowledged write', async () => {
    const written: string[] = [];
    let stop = false;
    const writer = async (name: string): Promise<void> => {
      for (let count = 0; !stop; count++) {
        const key = `${name}/${String(count).padStart(5, '0')}`;
        // A connection that breaks may be retried by the client; what counts is what was acknowledged.
        const ok = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: `body of ${key}` })).then(() => true, () => false);
        if (ok) written.push(key);
      }
    };
    const writers = [writer('a'), writer('b'), writer('c')];
    try {
      for (let round = 0; round < 3; round++) {
        const workers = await server.workerIds();
        assert.equal(workers.length, 2, server.output());
        const victim = workers[round % 2] as number;
        const before = written.length;
        process.kill(victim, 'SIGKILL');
        await server.outputMatching(new RegExp(`"processId":${victim},`));
        await until(async () => (await server.workerIds()).length === 2);
        await until(async () => written.length > before + 5);
      }
    } finally {
      stop = true;
      await Promise.all(writers);
    }
    assert.ok(written.length > 15);

    const listed: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key as string));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    for (const key of written) assert.ok(listed.includes(key), `${key} was acknowledged and is not listed`);
    for (const key of written.filter((_, index) => index % 7 === 0)) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      assert.equal(await Body?.transformToString(), `body of ${key}`);
    }
  });

  test('adds up the metrics of its workers', async () => {
    const text = await (await fetch(`${server.httpUrl}/_/metrics`)).text();
    assert.match(text, /coffer_requests_total\{[^}]*operation="PutObject"[^}]*\} \d+/);
  });
});

describe('stopping', () => {
  test('SIGTERM finishes the request under way, takes no new one, exits with 0', async () => {
    const server = await spawnServer({ workers: 1 });
    const s3 = clientOf(server);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    s3.destroy();
    const target = `/${bucket}/slow`;
    const signed = await sign(
      { method: 'PUT', target, headers: { host: `127.0.0.1:${server.httpPort}`, 'content-length': '10' }, body: 'helloworld' },
      server.credentials,
    );
    const connection = await RawConnection.open(server.httpPort);
    await connection.send(`PUT ${target} HTTP/1.1\r\n${Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}expect: 100-continue\r\n\r\n`);
    assert.equal((await connection.response()).status, 100);
    await connection.send('hello');
    server.process.kill('SIGTERM');
    await until(async () => {
      const probe = await RawConnection.open(server.httpPort).catch(() => undefined);
      probe?.destroy();
      return probe === undefined;
    });
    await connection.send('world');
    const { status, headers } = await connection.response();
    assert.deepEqual([status, headers['connection']], [200, 'close']);
    assert.deepEqual(await server.ended, { code: 0, signal: null });
    await rm(server.dataDir, { recursive: true });
  });

  test('workers do not outlive a primary that is killed, and the data can be served again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'coffer-killed-'));
    const first = await spawnServer({ workers: 2, dataDir });
    const s3 = clientOf(first);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'kept', Body: 'kept' }));
    s3.destroy();
    const workers = await first.workerIds();
    first.process.kill('SIGKILL');
    await first.ended;
    await until(async () => workers.every((id) => !isAlive(id)));

    const second = await spawnServer({ workers: 1, dataDir });
    assert.doesNotMatch(second.output(), /AWS_SECRET_ACCESS_KEY/);
    assert.match(second.output(), new RegExp(`AWS_SHARED_CREDENTIALS_FILE=${join(dataDir, 'credentials')}`));
    const again = clientOf(second);
    const { Body } = await again.send(new GetObjectCommand({ Bucket: bucket, Key: 'kept' }));
    assert.equal(await Body?.transformToString(), 'kept');
    again.destroy();
    await second.stop();
    await rm(dataDir, { recursive: true });
  });
});

describe('the command line', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'coffer-cli-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('tells the nearest command and setting', async () => {
    assert.deepEqual(await runCommand(['srve']).then(({ code, output }) => [code, /Did you mean serve\?/.test(output)]), [2, true]);
    assert.deepEqual(await runCommand(['serve', '--htp', 'off']).then(({ code, output }) => [code, /did you mean --http\?/.test(output)]), [2, true]);
  });

  test('init makes what a start needs, once', async () => {
    const data = join(directory, 'data');
    const first = await runCommand(['init', '--data', data]);
    assert.equal(first.code, 0, first.output);
    const fingerprint = /Fingerprint +([0-9a-f]{16})/.exec(first.output)?.[1];
    assert.ok(fingerprint);
    const key = await readFile(join(data, 'root.key'), 'utf8');
    const again = await runCommand(['init', '--data', data]);
    assert.equal(again.code, 1);
    assert.match(again.output, /is there already; nothing was changed/);
    assert.equal(await readFile(join(data, 'root.key'), 'utf8'), key);
  });

  test('data whose root key is gone gets no second one', async () => {
    const dataDir = join(directory, 'keyless');
    const server = await spawnServer({ workers: 1, dataDir });
    await server.stop();
    await rm(join(dataDir, 'root.key'));
    const { code, output } = await runCommand(['serve', '--data', dataDir, '--http', '127.0.0.1:0', '--https', 'off']);
    assert.equal(code, 1);
    assert.match(output, /there is no key file .*root\.key; without it nothing that is stored can be read/);
    await assert.rejects(stat(join(dataDir, 'root.key')));
  });
});

/** Asks again and again; the test runner's time limit ends what never becomes true. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20, undefined));
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
