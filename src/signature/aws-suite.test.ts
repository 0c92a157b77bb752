/**
 * AWS's signing test suite, 38 requests signed in the header and in the query (aws-c-auth, Apache-2.0), where it lies
 * beside the project, and four cases of our own in test/vectors/signature.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { canonicalParameters, canonicalRequest, stringToSignOf } from './canonical.ts';
import { readClaim } from './claim.ts';
import { deriveSigningKey, sign } from './signing-key.ts';
import { jsonRefusals } from './refusals-other.ts';
import { verifyRequest } from './index.ts';
import { request, sha256 } from './testing.ts';

const outside = new URL('../../../shared/vectors/aws-signing-test-suite/v4/', import.meta.url);
const ours = new URL('../../test/vectors/signature/v4/', import.meta.url);
const isOutsideThere = existsSync(outside);

interface Context {
  credentials: { access_key_id: string; secret_access_key: string; token?: string };
  normalize: boolean;
  omit_session_token?: boolean;
  region: string;
  service: string;
  timestamp: string;
}

test("AWS's suite", (context) => {
  if (isOutsideThere) assert.equal(readdirSync(outside).length, 38);
  else context.diagnostic("AWS's suite does not lie beside the project: only our own cases are run");
});

if (isOutsideThere) describe('signing test suite of AWS', () => runSuite(outside));
describe('signing test cases of our own', () => runSuite(ours));

function runSuite(suite: URL): void {
  for (const name of readdirSync(suite).sort()) {
    for (const form of ['header', 'query'] as const) {
      test(`${name}, ${form}`, async () => {
        const read = (file: string): string => readFileSync(new URL(`${name}/${file}`, suite), 'latin1').replaceAll('\r\n', '\n');
        const context = JSON.parse(read('context.json')) as Context;
        const { credentials, region, service } = context;
        const signed = parseRequest(read(`${form}-signed-request.txt`));
        const http = request({ ...signed, body: undefined });

        const parameters = canonicalParameters(http.rawQuery);
        const claim = readClaim(http, parameters, jsonRefusals);
        assert.ok(claim !== undefined && claim.kind === (form === 'header' ? 'header' : 'presigned'));
        const canonicalFile = read(`${form}-canonical-request.txt`);
        // A token added after signing stands in the URL without being signed; ours must be.
        const isTokenUnsigned = context.omit_session_token === true;
        const covered = isTokenUnsigned ? parameters.filter(({ name: key }) => key !== 'X-Amz-Security-Token') : parameters;
        const canonical = canonicalRequest({
          method: http.method,
          rawPath: http.rawPath,
          pathEncoding: context.normalize ? 'twice' : 'once',
          parameters: covered,
          headers: http.headers,
          hoisted: undefined,
          signedHeaders: claim.signedHeaders.split(';'),
          signedHeadersText: claim.signedHeaders,
          payloadHash: canonicalFile.slice(canonicalFile.lastIndexOf('\n') + 1),
        });
        assert.equal(canonical, canonicalFile);
        const amzDate = context.timestamp.replace(/[-:]/g, '');
        const stringToSign = stringToSignOf(amzDate, claim.credential.scope, canonical);
        assert.equal(stringToSign, read(`${form}-string-to-sign.txt`));
        const key = deriveSigningKey(credentials.secret_access_key, amzDate.slice(0, 8), region, service);
        assert.equal(sign(key, stringToSign), read(`${form}-signature.txt`).trim());

        if (!context.normalize) return;
        const verified = verifyRequest(http, {
          service,
          regions: [region],
          clock: { nowMs: () => Date.parse(context.timestamp) + 1000 },
          skewMs: 300_000,
          lookup: async (id) =>
            id === credentials.access_key_id
              ? { secretAccessKey: credentials.secret_access_key, sessionToken: credentials.token, identity: 'caller' }
              : undefined,
          bodySha256: sha256(Buffer.from(signed.text, 'latin1')),
        });
        if (isTokenUnsigned) await assert.rejects(verified, { code: 'InvalidSignatureException', status: 400 });
        else assert.equal((await verified).kind, claim.kind);
      });
    }
  }
}

/** One char per byte, as node:http hands requests over; a folded header line is one value. */
function parseRequest(text: string): { method: string; target: string; headers: Record<string, string>; text: string } {
  const blank = text.indexOf('\n\n');
  const head = (blank < 0 ? text : text.slice(0, blank)).trimEnd();
  const [requestLine, ...lines] = head.replace(/\n(?=[ \t])/g, '').split('\n');
  const match = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine!)!;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1);
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return { method: match[1]!, target: match[2]!, headers, text: blank < 0 ? '' : text.slice(blank + 2) };
}
