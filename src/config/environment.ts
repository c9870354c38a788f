/** The only reader of the process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const environment: Environment = process.env;

const PREFIX = 'HPC_GATEWAY_';
/** The last two are of the shell command. */
export const KNOWN_VARIABLES = ['HPC_GATEWAY_CONFIG', 'HPC_GATEWAY_DEMO', 'HPC_GATEWAY_URL', 'HPC_GATEWAY_KEY'] as const;

/** Variables that look like ours and are none: most often mistyped, and otherwise without effect. */
export const unknownVariables = (env: Environment): string[] =>
  Object.keys(env).filter((name) => name.startsWith(PREFIX) && !(KNOWN_VARIABLES as readonly string[]).includes(name));
