/**
 * Answers to operations that may take longer than a client waits in silence: after a while the status line goes out
 * as 200, then the XML declaration and white space now and then, then the result, or an Error document under that 200,
 * which every SDK turns into an error. An operation that is done in time gets its real status and headers.
 * Source: AWS documentation of CompleteMultipartUpload and CopyObject; contract s3-surface section 3.
 */
import type { HttpResponse } from '../base/index.ts';
import { XML_DECLARATION, type RestXmlCodec } from '../wire/index.ts';

const slowOperations: ReadonlySet<string> = new Set(['CompleteMultipartUpload', 'CopyObject', 'UploadPartCopy']);
const keepAliveMs = 10_000;

export function isSlow(operation: string): boolean {
  return slowOperations.has(operation);
}

type Settled = { output: Record<string, unknown> } | { error: unknown };

/** Rejects with what `acting` rejects with when that is in time. */
export async function answerInTime(
  acting: Promise<object>, codec: RestXmlCodec, errorDocument: (error: unknown) => string, afterMs = keepAliveMs,
): Promise<HttpResponse> {
  const settled: Promise<Settled> = acting.then(
    (output) => ({ output: output as Record<string, unknown> }),
    (error: unknown) => ({ error }),
  );
  const early = await within(settled, afterMs);
  if (early === undefined) {
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: keptAlive(settled, codec, errorDocument, afterMs) };
  }
  if ('error' in early) throw early.error;
  return codec.encode(early.output);
}

async function* keptAlive(settled: Promise<Settled>, codec: RestXmlCodec, errorDocument: (error: unknown) => string, everyMs: number): AsyncGenerator<Buffer> {
  yield Buffer.from(XML_DECLARATION);
  for (;;) {
    const result = await within(settled, everyMs);
    if (result === undefined) {
      yield Buffer.from(' ');
      continue;
    }
    const document = 'error' in result ? errorDocument(result.error) : codec.encodeXmlDocument(result.output);
    yield Buffer.from(document.slice(XML_DECLARATION.length));
    return;
  }
}

/** Undefined when the time is over first. */
async function within<T>(promise: Promise<T>, waitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
