/** Thrown by rules and state; a vendor's `errors.ts` gives the code its status and message. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly detail: string = '',
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${code} ${detail}`);
    this.name = 'Refusal';
  }
}
