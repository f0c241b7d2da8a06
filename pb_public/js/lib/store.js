import { batch, effect, signal, useEffect, useMemo } from "../vendor.js";
import { asApiError } from "./api.js";
import { onChange } from "./live.js";
import { signedIn } from "./session.js";

/**
 * Something fetched from the server and kept fresh: shown from memory at once when a page is opened again, fetched anew
 * then, on each change the live line names, and when the line returns after a break.
 * @template T
 */
export class Resource {
    /** @param {(signal: AbortSignal) => Promise<T>} load @param {(change: import("./live.js").Change) => boolean} concerns */
    constructor(load, concerns) {
        this.load = load;
        this.concerns = concerns;
        /** @type {import("../vendor.js").Signal<T | undefined>} */
        this.data = signal(undefined);
        /** @type {import("../vendor.js").Signal<import("./api.js").ApiError | null>} */
        this.error = signal(null);
        this.busy = signal(false);
        this.used = 0;
        this.again = false;
        /** @type {Promise<void> | null} */
        this.running = null;
    }

    /** Fetches; a call during a fetch leads to one more after it, never to two at once. @returns {Promise<void>} */
    refresh() {
        if (this.running) {
            this.again = true;
            return this.running;
        }
        this.busy.value = true;
        this.running = this.#run().finally(() => {
            this.running = null;
            this.busy.value = false;
            if (this.again) {
                this.again = false;
                this.refresh();
            }
        });
        return this.running;
    }

    async #run() {
        try {
            this.put(await this.load(AbortSignal.timeout(25_000)));
        } catch (error) {
            this.error.value = asApiError(error);
        }
    }

    /** Takes an answer, unless what is shown is newer. @param {T} data */
    put(data) {
        batch(() => {
            this.data.value = newer(this.data.peek(), data);
            this.error.value = null;
        });
    }
}

/** Keeps what has the later `updated`, by id within lists. @param {any} old @param {any} fresh @returns {any} */
function newer(old, fresh) {
    if (!old || !fresh) return fresh;
    if (Array.isArray(fresh.items) && Array.isArray(old.items)) {
        const before = new Map(old.items.map((/** @type {any} */ item) => [item.id, item]));
        return { ...fresh, items: fresh.items.map((/** @type {any} */ item) => newer(before.get(item.id), item)) };
    }
    return old.id === fresh.id && old.updated && fresh.updated && Date.parse(old.updated) > Date.parse(fresh.updated) ? old : fresh;
}

/** @type {Map<string, Resource<any>>} */
const cache = new Map();
const keep = 40;

/** What one customer saw must not be shown to the next on the same browser. */
effect(() => {
    signedIn.value;
    for (const left of cache.values()) left.again = false; // asked for by who was signed in before
    cache.clear();
});

onChange((change) => {
    for (const resource of cache.values()) {
        if (change !== null && !resource.concerns(change)) continue;
        if (resource.used > 0) resource.refresh();
        else resource.data.value = undefined;
    }
});

/**
 * The resource of a key, shared by all parts of the page.
 * @template T
 * @param {string} key
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {string[]} on collections whose changes concern it; "services/abc" only that record
 * @returns {Resource<T>}
 */
export function resource(key, load, on = []) {
    let found = cache.get(key);
    if (!found) {
        found = new Resource(load, (change) => on.includes(change.collection) || on.includes(change.collection + "/" + change.id));
        if (cache.size >= keep) {
            for (const [old, r] of cache) if (r.used === 0) { cache.delete(old); break; }
        }
        cache.set(key, found);
    }
    return found;
}

/**
 * Uses a resource in a component: fetches when it appears.
 * @template T
 * @param {string} key
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {string[]} [on]
 * @returns {Resource<T>}
 */
export function useResource(key, load, on) {
    const found = useMemo(() => resource(key, load, on), [key, signedIn.value]);
    useEffect(() => {
        found.used++;
        found.refresh();
        return () => void found.used--;
    }, [found]);
    return found;
}
