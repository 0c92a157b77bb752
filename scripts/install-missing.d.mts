/** Types of install-missing.mjs for the tests; the script itself must run where no TypeScript does. */
export function installMissing(options: { withDevelopment: boolean }): Promise<void>;
export function whyInstall(withDevelopment: boolean, root?: string): string | undefined;
