import { signal, useEffect, useMemo } from "../vendor.js";
import { asApiError, post } from "./api.js";

const restMs = 200;

/**
 * The server's price for what is chosen. `of` tells which choice `quote` answers, so that nobody pays for another one.
 * @typedef {{of: string, quote: any, error: import("./api.js").ApiError | null, busy: boolean}} Quoted
 * @typedef {{state: import("../vendor.js").Signal<Quoted>, again: () => void}} Quoting
 */

/**
 * Asks for the price of a choice a moment after it last changed. An older question is abandoned, and its answer, should it
 * still come, is dropped.
 * @param {Record<string, unknown> | null} choice null while nothing is chosen
 * @param {string} [path] whose answer is wanted: an order's, or that of a subscription's change
 * @returns {Quoting}
 */
export function useQuote(choice, path = "/orders/quote") {
    const state = useMemo(() => signal(/** @type {Quoted} */ ({ of: "", quote: null, error: null, busy: false })), []);
    const round = useMemo(() => signal(0), []);
    const of = choice ? JSON.stringify(choice) : "";
    useEffect(() => {
        if (!of) return undefined;
        const stop = new AbortController();
        state.value = { ...state.peek(), busy: true };
        const start = setTimeout(async () => {
            try {
                const quote = await post(path, JSON.parse(of), { signal: stop.signal });
                if (!stop.signal.aborted) state.value = { of, quote, error: null, busy: false };
            } catch (thrown) {
                if (!stop.signal.aborted) state.value = { of, quote: null, error: asApiError(thrown), busy: false };
            }
        }, state.peek().of === "" ? 0 : restMs);
        return () => {
            clearTimeout(start);
            stop.abort();
        };
    }, [of, round.value]);
    return { state, again: () => void round.value++ };
}
