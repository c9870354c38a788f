/** A closed loop of requests on kept connections. */
import { Pool } from 'undici';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds, sorted. */
  readonly times: readonly number[];
}

const CONNECTIONS = 16;

/** @throws where an answer is not 200 */
export const loadOf = async (
  url: string,
  path: string,
  requests: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Load> => {
  const pool = new Pool(url, { connections: CONNECTIONS });
  const times: number[] = [];
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const from = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${url}${path} answers ${statusCode}: ${text}`);
      times.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const seconds = (performance.now() - from) / 1_000;
  await pool.close();
  return { requests, seconds, times: times.sort((one, other) => one - other) };
};

export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
