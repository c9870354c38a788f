/** Members that a query and a body can both give. */
import { refuse } from './validation.js';

/** Whether one of the two says so. @throws invalid_request where they contradict each other */
export const eitherOf = (name: 'dryRun' | 'stopOnError', query: unknown, body: unknown): boolean => {
  const [inQuery, inBody] = [query, body].map((given) => (given as Readonly<Record<string, unknown>> | undefined)?.[name]);
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody)
    refuse(`contradicts ${name} in the body; give one of them`, `/query/${name}`);
  return (inQuery ?? inBody) === true;
};
