/** A bar on a terminal; elsewhere nothing. */
const WIDTH = 30;

export interface Progress {
  show(settled: number, total: number): void;
  /** Leaves the last state where it is. */
  end(): void;
}

export const createProgress = (): Progress => {
  const { stderr } = process;
  let isShown = false;
  return {
    show: (settled, total) => {
      if (!stderr.isTTY) return;
      const filled = Math.min(Math.round((settled / Math.max(total, 1)) * WIDTH), WIDTH);
      stderr.write(`\r[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${settled} of ${total}`);
      isShown = true;
    },
    end: () => {
      if (isShown) stderr.write('\n');
      isShown = false;
    },
  };
};
