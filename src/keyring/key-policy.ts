/**
 * Key policies as texts: the default one, those of managed keys, and which texts mean the same as the default.
 * Evaluation of key policies does not exist yet, so nothing but the default may be stored: a policy that is
 * accepted and has no effect would be a lie about who can use the key.
 *
 * Source: contract kms-iam-audit.md 2.4, 2.11.
 */
import { accountRootArn } from '../base/index.ts';
import { keyErrors } from './key-errors.ts';
import type { StoredKey } from './key-store.ts';

/** The policy in force, laid out as AWS lays it out; a customer's text byte for byte as it was put. */
export function policyText(key: StoredKey): string {
  if (key.policy !== undefined) return key.policy;
  return layOut(key.managedFor === undefined ? defaultPolicy(key.account) : managedPolicy(key.managedFor, key));
}

/**
 * Makes sure that a policy may be stored. Throws ServiceError: MalformedPolicyDocumentException,
 * LimitExceededException, UnsupportedOperationException for every policy that means anything but the default.
 */
export function checkPolicy(text: string, account: string, sizeBytesMax: number): void {
  if (Buffer.byteLength(text) > sizeBytesMax) throw keyErrors.limitExceeded(`Key policies may have at most ${sizeBytesMax} bytes.`);
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw keyErrors.malformedPolicy('This policy contains invalid Json');
  }
  if (!isObject(policy)) throw keyErrors.malformedPolicy('Syntax errors in policy.');
  if (!meansDefault(policy, account)) {
    throw keyErrors.unsupported(
      'Key policies other than the default one (the account root user may do kms:* on the key) are not supported yet, ' +
        'and none is stored without effect.',
    );
  }
}

function defaultPolicy(account: string): object {
  return {
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      { Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: accountRootArn(account) }, Action: 'kms:*', Resource: '*' },
    ],
  };
}

function managedPolicy(service: string, { account, region }: { account: string; region: string }): object {
  return {
    Version: '2012-10-17',
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${service.toUpperCase()} for all principals in the account that are authorized to use ${service.toUpperCase()}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `${service}.${region}.amazonaws.com` } },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: accountRootArn(account) },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
        Resource: '*',
      },
    ],
  };
}

/** Id and Sid mean nothing; one-element lists mean their element; the account's number means its root. */
function meansDefault(policy: Record<string, unknown>, account: string): boolean {
  const { Version, Id, Statement, ...rest } = policy;
  if (Object.keys(rest).length > 0) return false;
  if (Version !== undefined && Version !== '2012-10-17' && Version !== '2008-10-17') return false;
  if (Id !== undefined && typeof Id !== 'string') return false;
  const statement = only(Statement);
  if (!isObject(statement)) return false;
  const { Sid, Effect, Principal, Action, Resource, ...more } = statement;
  if (Object.keys(more).length > 0 || (Sid !== undefined && typeof Sid !== 'string')) return false;
  if (Effect !== 'Allow' || only(Resource) !== '*') return false;
  const action = only(Action);
  if (typeof action !== 'string' || action.toLowerCase() !== 'kms:*') return false;
  if (!isObject(Principal) || Object.keys(Principal).length !== 1) return false;
  const principal = only(Principal.AWS);
  return principal === accountRootArn(account) || principal === account;
}

function only(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** AWS's own layout of generated policies: two spaces, ` : `, lists on the line of their key. */
function layOut(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return `[ ${value.map((item) => layOut(item, indent)).join(', ')} ]`;
  if (!isObject(value)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const members = Object.entries(value).map(([name, member]) => `${inner}${JSON.stringify(name)} : ${layOut(member, inner)}`);
  return `{\n${members.join(',\n')}\n${indent}}`;
}
