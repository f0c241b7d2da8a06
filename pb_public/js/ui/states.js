import { html, useEffect, useState } from "../vendor.js";
import { t, rich } from "../lib/i18n.js";
import { Button } from "./button.js";
import { support } from "./page.js";

/**
 * What went wrong, in words, with the reference support can look up and a way to try again.
 * @param {{error: import("../lib/api.js").ApiError, title?: string, retry?: () => void, busy?: boolean}} props
 */
export function ErrorBox({ error, title, retry, busy }) {
    return html`<div class="notice" data-kind="bad" role="alert">
        <h2>${title ?? (error.status === 404 ? t("error.not_found_title") : error.lost ? t("error.unreachable_title") : t("error.title"))}</h2>
        <p>${error.status === 404 ? t("error.not_found") : error.message}</p>
        <${Reference} error=${error} />
        ${error.lost && support && html`<p class="small">${rich("error.support", { address: html`<a href=${"mailto:" + support}>${support}</a>` })}</p>`}
        ${retry && error.status !== 404 && html`<${Button} onClick=${retry} busy=${busy}>${t("do.retry")}<//>`}
    </div>`;
}

/** @param {{error: import("../lib/api.js").ApiError}} props */
export const Reference = ({ error }) =>
    error.reference ? html`<p class="small muted">${rich("error.reference", { reference: html`<code>${error.reference}</code>` })}</p>` : null;

/** Shown while data is on its way: of the final size, and only after a moment. @param {{heights?: number[]}} props */
export const Loading = ({ heights = [120] }) => html`<div class="stack" aria-busy="true">
    <span class="sr">${t("loading")}</span>
    ${heights.map((h) => html`<span class="skel box" style=${{ "--h": h + "px" }}></span>`)}
</div>`;

/** A place with nothing in it yet: what will be here, and the one action that fills it. @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`<div class="empty"><strong>${title}</strong>${children}</div>`;

/**
 * Draws a resource in each of its states. Data already here stays on show when a later fetch fails; the failure then stands
 * above it. While the server cannot be reached the fetch is repeated by itself.
 * @template T
 * @param {{of: import("../lib/store.js").Resource<T>, heights?: number[], children: (data: T) => any}} props
 */
export function Loaded({ of, heights, children }) {
    const data = of.data.value;
    const error = of.error.value;
    const [wait, setWait] = useState(4000);
    useEffect(() => {
        if (!error?.lost) return undefined;
        const end = setTimeout(() => {
            setWait(Math.min(wait * 2, 30_000));
            of.refresh();
        }, wait);
        return () => clearTimeout(end);
    }, [error]);
    const box = error && html`<${ErrorBox} error=${error} retry=${() => of.refresh()} busy=${of.busy.value} />`;
    if (data === undefined) return box || html`<${Loading} heights=${heights} />`;
    return html`${box}${children(data)}`;
}
