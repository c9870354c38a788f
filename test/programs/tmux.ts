/** A real terminal: tmux, with a server of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/wait.js';

export interface Terminal {
  /** Types the text as it is; `Enter`, `C-c` and the like are keys. */
  type(text: string): void;
  press(key: string): void;
  screen(): string;
  /** Waits until the screen shows it. @returns the screen */
  shows(pattern: RegExp): Promise<string>;
  close(): void;
}

/** @param command runs in a shell, whose next line is `exit=CODE` @throws where tmux is not installed */
export const openTerminal = (command: string, env: Record<string, string>): Terminal => {
  if (spawnSync('tmux', ['-V']).error) throw new Error('tmux is not installed: apt-get install tmux');
  const folder = mkdtempSync(join(tmpdir(), 'gateway-tmux-'));
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', LANG: 'C.UTF-8', ...env },
    });
  tmux(
    'new-session',
    '-d',
    '-x',
    '120',
    '-y',
    '40',
    'sh',
    '-c',
    `trap : INT; ${command}; echo "exit=$?"; trap "" INT; exec sleep 600`,
  );
  const screen = (): string => tmux('capture-pane', '-p').replace(/\n+$/, '\n');
  return {
    type: (text) => void tmux('send-keys', '-l', text),
    press: (key) => void tmux('send-keys', key),
    screen,
    shows: (pattern) => until(screen, (shown) => pattern.test(shown)),
    close: () => {
      tmux('kill-server');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
