import { createStep } from './create.js';
import { deleteStep } from './delete.js';
import { setPasswordStep } from './set-password.js';
import { setRoleStep } from './set-role.js';
import type { Step, StepName } from './step.js';

const STEPS: Readonly<Record<StepName, Step>> = {
  create: createStep,
  delete: deleteStep,
  setRole: setRoleStep,
  setPassword: setPasswordStep,
};

export const stepNamed = (name: StepName): Step => STEPS[name];
