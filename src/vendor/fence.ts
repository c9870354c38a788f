/**
 * The right to send, checked at the last moment: right before the first byte of a request, on the connected socket. It travels with the
 * asynchronous context, so that neither adapters nor clients have to pass it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Whether a request may be sent now. Must be quick, and true of this very moment. */
export type Fence = () => boolean;

const fences = new AsyncLocalStorage<Fence>();

/** Runs the work; none of its requests is sent once the fence says no. */
export const fenced = <T>(fence: Fence, work: () => Promise<T>): Promise<T> => fences.run(fence, work);

const open: Fence = () => true;

/** The fence of the present work. */
export const currentFence = (): Fence => fences.getStore() ?? open;
