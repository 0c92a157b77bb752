/**
 * The official input and output shapes as handlers see them: typed by `@aws-sdk/client-*`, with what wire changes:
 * streaming bodies are byte sources, required members are there, `$metadata` is gone.
 */
import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import type * as Glacier from '@aws-sdk/client-glacier';
import type * as Iam from '@aws-sdk/client-iam';
import type * as Kms from '@aws-sdk/client-kms';
import type * as S3 from '@aws-sdk/client-s3';
import type * as Sts from '@aws-sdk/client-sts';
import type { ByteSource } from '../base/bytes.ts';
import type { OutputExtras } from './codec.ts';

/** Operation names: the module's exports called `<Name>Command`. */
type OperationNames<Module> = { [Export in keyof Module & string]: Export extends `${infer Name}Command` ? (Name extends '$' ? never : Name) : never }[keyof Module & string];

type CommandOf<Module, Name extends string> = Module extends Record<`${Name}Command`, new (...input: never[]) => infer Command> ? Command : never;

interface CommandIo {
  readonly input: unknown;
  resolveMiddleware(stack: never, configuration: never, options: never): unknown;
}

type InputOf<Command> = Command extends { readonly input: infer Input } ? Input : never;
type OutputOf<Command> = Command extends CommandIo
  ? ReturnType<Command['resolveMiddleware']> extends (...args: never[]) => Promise<{ output: infer Output }>
    ? Output
    : never
  : never;

/** The SDK writes required members as `string | undefined`; the decoder guarantees them. */
type Required_<Shape> = { [Name in keyof Shape]: undefined extends Shape[Name] ? (object extends Pick<Shape, Name> ? Shape[Name] : Exclude<Shape[Name], undefined>) : Shape[Name] };

type Inputs<Module> = { [Name in OperationNames<Module>]: Required_<InputOf<CommandOf<Module, Name>>> };
type Outputs<Module> = { [Name in OperationNames<Module>]: Omit<OutputOf<CommandOf<Module, Name>>, '$metadata'> & OutputExtras };

/** Replaces members where they exist. */
type Replace<Shape, Changes> = { [Name in keyof Shape]: Name extends keyof Changes ? Changes[Name] : Shape[Name] };

interface S3InputChanges {
  Body: ByteSource | undefined;
  Expires: string | undefined;
  ResponseExpires: string | undefined;
  AnnotationPayload: ByteSource | undefined;
}
interface S3OutputChanges {
  Body: ByteSource | undefined;
  AnnotationPayload: ByteSource | undefined;
  Expires: string | undefined;
}

/** ListObjectVersions: one list in document order instead of Versions and DeleteMarkers. */
export type VersionEntry = ({ kind: 'Version' } & S3.ObjectVersion) | ({ kind: 'DeleteMarker' } & S3.DeleteMarkerEntry);

export type S3OperationName = OperationNames<typeof S3>;
export type S3Inputs = { [Name in S3OperationName]: Replace<Inputs<typeof S3>[Name], S3InputChanges> };
export type S3Outputs = {
  [Name in S3OperationName]: Name extends 'ListObjectVersions'
    ? Omit<Outputs<typeof S3>[Name], 'Versions' | 'DeleteMarkers'> & { Entries?: VersionEntry[] }
    : Replace<Omit<Outputs<typeof S3>[Name], 'ExpiresString'>, S3OutputChanges>;
};

export type KmsOperationName = OperationNames<typeof Kms>;
export type KmsInputs = Inputs<typeof Kms>;
export type KmsOutputs = Outputs<typeof Kms>;

export type IamOperationName = OperationNames<typeof Iam>;
export type IamInputs = Inputs<typeof Iam>;
export type IamOutputs = Outputs<typeof Iam>;

export type StsOperationName = OperationNames<typeof Sts>;
export type StsInputs = Inputs<typeof Sts>;
export type StsOutputs = Outputs<typeof Sts>;

export type CloudTrailOperationName = OperationNames<typeof CloudTrail>;
export type CloudTrailInputs = Inputs<typeof CloudTrail>;
export type CloudTrailOutputs = Outputs<typeof CloudTrail>;

interface GlacierChanges {
  body: ByteSource | undefined;
}
export type GlacierOperationName = OperationNames<typeof Glacier>;
export type GlacierInputs = { [Name in GlacierOperationName]: Replace<Inputs<typeof Glacier>[Name], GlacierChanges> };
export type GlacierOutputs = { [Name in GlacierOperationName]: Replace<Outputs<typeof Glacier>[Name], GlacierChanges> };
