/** Members that a query and a body can both give. */
import { invalidRequest } from './validation.js';

/** Whether one of the two says so. @throws invalid_request where they contradict each other */
export const eitherOf = (name: 'dryRun' | 'stopOnError', query: unknown, body: unknown): boolean => {
  const [inQuery, inBody] = [query, body].map((given) => (given as Readonly<Record<string, unknown>> | undefined)?.[name]);
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody)
    throw invalidRequest([{ pointer: `/query/${name}`, message: `contradicts ${name} in the body; give one of them` }]);
  return (inQuery ?? inBody) === true;
};
