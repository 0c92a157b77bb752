/** Values that S3 refuses outside their enumeration, which schemas do not carry. */
export function allowedS3Values(_structure: string, _member: string): ReadonlySet<string> | undefined {
  return undefined;
}
