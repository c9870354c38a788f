import type { Target } from '../../clusters/registry.js';
import type { Step } from '../../writes/resource.js';
import { createStep } from './create.js';
import { deleteStep } from './delete.js';
import { setPasswordStep } from './set-password.js';
import { setRoleStep } from './set-role.js';
import type { StepName, StepOf } from './step.js';

const STEPS: Readonly<Record<StepName, StepOf>> = {
  create: createStep,
  delete: deleteStep,
  setRole: setRoleStep,
  setPassword: setPasswordStep,
};

/** The steps of the users of one cluster, by name. @throws TypeError */
export const stepsOf = (target: Target): ((name: string) => Step) => {
  const made = new Map(Object.entries(STEPS).map(([name, stepOf]) => [name, stepOf(target)]));
  return (name) => {
    const step = made.get(name);
    if (!step) throw new TypeError(`There is no step ${name} for users.`);
    return step;
  };
};
