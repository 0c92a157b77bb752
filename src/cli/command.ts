/** What a command is to main.ts: its arguments behind the command's name in, the process's exit code out. */
export type Command = (args: readonly string[]) => Promise<number>;
