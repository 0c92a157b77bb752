/** What `coffer serve` and `coffer init` tell the operator. The secret is shown on the first start only. */
import { relative } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Prepared } from '../server/prepare.ts';
import type { BoundAddresses } from '../server/worker-messages.ts';

export function describeStart(prepared: Prepared, { http, https }: BoundAddresses): string {
  const { settings, tls } = prepared;
  const endpoint = https ? urlOf('https', https) : http ? urlOf('http', http) : '';
  const keysMayTravel = https !== undefined || settings.keysOverHttp === 'loopback';
  const lines = [
    'Coffer is ready.',
    '',
    ...(http ? [`  HTTP   ${urlOf('http', http)}`] : []),
    ...(https ? [`  HTTPS  ${urlOf('https', https)}`] : []),
    `  Data   ${settings.data}`,
    '',
    ...describeCredentials(prepared),
    ...(https && tls?.caPath !== undefined ? [`export AWS_CA_BUNDLE=${shellWord(tls.caPath)}`] : []),
    `export AWS_REGION=${settings.region} AWS_DEFAULT_REGION=${settings.region}`,
    '',
    `A bucket, and a file in it under ${keysMayTravel ? 'a KMS key' : 'a key of Coffer (KMS keys need HTTPS)'}:`,
    '',
    `aws s3 mb s3://my-bucket --endpoint-url ${endpoint}`,
    `aws s3 cp ./README.md s3://my-bucket/ --sse ${keysMayTravel ? 'aws:kms' : 'AES256'} --endpoint-url ${endpoint}`,
    '',
    ...(settings.keysOverHttp === 'loopback'
      ? ['WARNING: keys-over-http=loopback lets programs on this machine send keys over plain HTTP. For trying things out only.', '']
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

export function describeCredentials({ credentials }: Prepared): string[] {
  if (credentials.path === undefined) return ['The root credentials are those of COFFER_ROOT_ACCESS_KEY_ID and COFFER_ROOT_SECRET_ACCESS_KEY.', ''];
  if (!credentials.fresh) {
    return ['The root credentials lie where they were made on the first start:', '', `export AWS_SHARED_CREDENTIALS_FILE=${shellWord(credentials.path)}`];
  }
  return [
    `Root credentials, shown this once and kept in ${nearby(credentials.path)} (mode 0600):`,
    '',
    `export AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
  ];
}

function urlOf(scheme: string, { address, family, port }: AddressInfo): string {
  // An address that stands for all of them is reached by this machine under its own name.
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

function nearby(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

/** As a POSIX shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
