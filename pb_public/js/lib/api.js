import { askSignIn, signedIn, token } from "./session.js";
import { learnClock } from "./dates.js";
import { t } from "./i18n.js";

/**
 * What went wrong with a request, in the server's words where it has any.
 * `lost` means that no answer came: the request may or may not have had its effect.
 */
export class ApiError extends Error {
    /**
     * @param {string} detail
     * @param {{status?: number, code?: string, reference?: string, lost?: boolean, fields?: {field: string, message: string, code?: string}[]}} [more]
     */
    constructor(detail, { status = 0, code = "", reference = "", lost = false, fields = [] } = {}) {
        super(detail);
        this.status = status;
        this.code = code;
        this.reference = reference;
        this.lost = lost;
        this.fields = fields;
    }
}

const waitMs = 20_000;

/**
 * Calls one of the product's own routes. A session that ended on the way is renewed by the person in a dialog and the call is
 * made again, so nothing they typed is lost.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {unknown} [body]
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, { signal } = {}) {
    for (;;) {
        const answer = await send(method, path, body, signal);
        if (answer.status === 401 && signedIn.peek()) {
            const said = await askSignIn();
            if (said === "again") continue;
            if (said === "unable") throw new ApiError(t("error.unreachable"), { lost: true });
        }
        if (!answer.ok) throw await problem(answer);
        return answer.status === 204 ? null : read(answer);
    }
}

/** @param {string} path @param {{signal?: AbortSignal}} [options] */
export const get = (path, options) => call("GET", path, undefined, options);
/** @param {string} path @param {unknown} [body] @param {{signal?: AbortSignal}} [options] */
export const post = (path, body = {}, options) => call("POST", path, body, options);
/** @param {string} path @param {unknown} body */
export const put = (path, body) => call("PUT", path, body);
/** @param {string} path */
export const remove = (path) => call("DELETE", path);
/** @param {string} path @param {unknown} body */
export const patch = (path, body) => call("PATCH", path, body);

/** @param {string} method @param {string} path @param {unknown} body @param {AbortSignal} [signal] */
async function send(method, path, body, signal) {
    const stop = AbortSignal.timeout(waitMs);
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (token()) headers.Authorization = token();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    try {
        return await fetch("/api/v1" + path, {
            method, headers,
            body: body === undefined ? undefined : JSON.stringify(body),
            signal: signal ? AbortSignal.any([signal, stop]) : stop,
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new ApiError(t("error.unreachable"), { lost: true });
    }
}

/** @param {Response} answer */
async function read(answer) {
    try {
        const body = await answer.json();
        if (body && typeof body.now === "string") learnClock(body.now);
        return body;
    } catch {
        throw new ApiError(t("error.unreadable"), { status: answer.status, lost: true });
    }
}

/** Reads problem details (RFC 9457), or PocketBase's own form of errors. @param {Response} answer */
async function problem(answer) {
    /** @type {any} */
    let body = {};
    try {
        body = await answer.json();
    } catch { /* a proxy's page: the status has to do */ }
    const fallback = answer.status >= 500 ? t("error.server") : answer.status === 429 ? t("error.too_many") : t("error.refused");
    return new ApiError(body.detail || body.message || fallback, {
        status: answer.status, code: body.code ?? "", reference: body.reference ?? "",
        lost: answer.status >= 502 && answer.status <= 504,
        fields: body.errors ?? fieldsOf(body.data),
    });
}

/** @param {Record<string, {message?: string, code?: string}> | undefined} data */
const fieldsOf = (data) =>
    Object.entries(data ?? {}).map(([field, e]) => ({ field, message: e?.message ?? "", code: e?.code ?? "" }));

/** Turns whatever was thrown, by us or by the SDK, into an ApiError. @param {any} error @returns {ApiError} */
export function asApiError(error) {
    if (error instanceof ApiError) return error;
    if (String(error?.name).startsWith("ClientResponseError")) {
        if (!error.status) return new ApiError(t("error.unreachable"), { lost: true });
        const body = error.response ?? {};
        const text = error.status === 429 ? t("error.too_many") : error.status >= 500 ? t("error.server") : body.detail || body.message || t("error.refused");
        return new ApiError(text, { status: error.status, code: body.code ?? "", reference: body.reference ?? "", fields: body.errors ?? fieldsOf(body.data) });
    }
    // A module that does not arrive is a TypeError in every browser, and so is a fetch that fails.
    return error instanceof TypeError ? new ApiError(t("error.unreachable"), { lost: true }) : new ApiError(t("error.page"));
}
