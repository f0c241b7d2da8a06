import { signal } from "../vendor.js";

/**
 * Small confirmations. Those with an action or bad news stay until they are closed; the others leave after some seconds. An
 * error shown here also stands where it happened: a toast is never its only copy.
 * @typedef {{id: number, text: string, kind: "ok" | "bad" | "info", action?: {label: string, run: () => void}}} Toast
 */

export const toasts = signal(/** @type {Toast[]} */ ([]));
let next = 1;

/** @param {string} text @param {{kind?: Toast["kind"], action?: Toast["action"]}} [options] */
export function toast(text, { kind = "ok", action } = {}) {
    const id = next++;
    toasts.value = [...toasts.value.slice(-3), { id, text, kind, action }];
    if (!action && kind !== "bad") setTimeout(() => dismiss(id), 6000);
}

/** @param {number} id */
export function dismiss(id) {
    toasts.value = toasts.value.filter((one) => one.id !== id);
}
