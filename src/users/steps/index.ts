import type { Target } from '../../clusters/registry.js';
import type { Step } from '../../writes/resource.js';
import { boundedStep } from './bounded.js';
import { createStep } from './create.js';
import { deleteStep } from './delete.js';
import { ensureStep, type RefusalOf } from './ensure.js';
import { setPasswordStep } from './set-password.js';
import { setRoleStep } from './set-role.js';
import type { StepName, StepOf } from './step.js';

const STEPS: Readonly<Record<Exclude<StepName, 'ensure' | 'bounded'>, StepOf>> = {
  create: createStep,
  delete: deleteStep,
  setRole: setRoleStep,
  setPassword: setPasswordStep,
};

/** The steps of the users of one cluster, by name. @throws TypeError */
export const stepsOf = (target: Target, refusalOf: RefusalOf): ((name: string) => Step) => {
  const all = [...Object.values(STEPS).map((stepOf) => stepOf(target)), ensureStep(target, refusalOf), boundedStep(target)];
  const made = new Map(all.map((step) => [step.name, step]));
  return (name) => {
    const step = made.get(name);
    if (!step) throw new TypeError(`There is no step ${name} for users.`);
    return step;
  };
};
