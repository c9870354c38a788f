/** How a command ends. */
export const EXIT = { done: 0, notDone: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** Ctrl-C at a question. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Ctrl-D at a question. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}
