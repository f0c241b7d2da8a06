import { signal, effect } from "../vendor.js";
import { sdk, user } from "./session.js";

/**
 * One realtime line for the whole browser. The tab that holds the Web Lock subscribes to the customer's topic; all tabs,
 * itself included, hear of changes over a BroadcastChannel. A message names a record and means "fetch that again".
 * @typedef {{collection: string, id: string}} Change
 */

/** Whether the line stands: true, false, or null before it was first tried. */
export const live = signal(/** @type {boolean | null} */ (null));
/** When the line was last known to stand, in milliseconds of this device. */
export const lastLive = signal(Date.now());

/** @type {Set<(change: Change | null) => void>} */
const listeners = new Set();

/**
 * Calls back on each change, and with null when the line stands again after a break and everything may be out of date.
 * @param {(change: Change | null) => void} listener
 * @returns {() => void} ends it
 */
export function onChange(listener) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
}

/** @type {BroadcastChannel | null} */
let channel = null;
/** @type {AbortController | null} */
let leading = null;

/** Starts listening, and follows sign-in and sign-out. */
export function startLive() {
    let current = "";
    effect(() => {
        const id = user.value?.id ?? "";
        if (id === current) return;
        current = id;
        stop();
        if (id) start(id);
    });
    addEventListener("online", () => {
        if (live.peek() === false) tell(null);
    });
}

/** @param {string} id */
function start(id) {
    channel = new BroadcastChannel("ezscale-live-" + id);
    channel.onmessage = ({ data }) => hear(data);
    channel.postMessage({ type: "ask" });
    leading = new AbortController();
    const { signal: ended } = leading;
    navigator.locks
        .request("ezscale-live-" + id, { signal: ended }, () => lead(id, ended))
        .catch(() => { /* signed out while waiting for the lock */ });
}

function stop() {
    leading?.abort();
    channel?.close();
    leading = channel = null;
    live.value = null;
}

/** Holds the line until this tab closes or the person signs out. @param {string} id @param {AbortSignal} ended */
async function lead(id, ended) {
    let standing = false;
    /** @param {boolean} now */
    const report = (now) => {
        if (ended.aborted) return;
        const rose = now && !standing;
        standing = now;
        say({ type: "state", standing });
        // Also after the first connection: what changed between a page's first fetch and now was told to nobody.
        if (rose) say({ type: "change", change: null });
    };
    const answer = (/** @type {MessageEvent} */ event) => {
        if (event.data?.type === "ask") say({ type: "state", standing });
    };
    channel?.addEventListener("message", answer);
    await keepTrying(ended, async () => {
        const pb = await sdk();
        pb.realtime.onDisconnect = (active) => {
            if (active.length > 0) report(false);
        };
        await pb.realtime.unsubscribe();
        await pb.realtime.subscribe("PB_CONNECT", () => report(true));
        await pb.realtime.subscribe("customer/" + id, (change) => say({ type: "change", change }));
        report(true);
    }, () => report(false));
    if (!ended.aborted) await new Promise((done) => ended.addEventListener("abort", done, { once: true }));
    channel?.removeEventListener("message", answer);
    // All at once: that closes the line. One by one would each ask the server, which refuses once the person has signed out.
    await sdk().then((pb) => pb.realtime.unsubscribe(), () => { /* never loaded, so there is no line */ });
}

/** Repeats a step until it succeeds, more slowly each time. @param {AbortSignal} ended @param {() => Promise<void>} step @param {() => void} failed */
async function keepTrying(ended, step, failed) {
    for (let wait = 1000; !ended.aborted; wait = Math.min(wait * 2, 30_000)) {
        try {
            return await step();
        } catch {
            failed();
            await new Promise((done) => setTimeout(done, wait));
        }
    }
}

/** Tells every tab. @param {any} message */
function say(message) {
    channel?.postMessage(message);
    hear(message);
}

/** @param {any} message */
function hear(message) {
    if (message?.type === "state") {
        if (message.standing || live.peek()) lastLive.value = Date.now();
        live.value = message.standing;
    } else if (message?.type === "change") {
        tell(message.change);
    }
}

/** @param {Change | null} change */
function tell(change) {
    for (const listener of listeners) listener(change);
}
