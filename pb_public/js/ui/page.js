import { html, useEffect, useLayoutEffect, useRef } from "../vendor.js";
import { place, settleScroll } from "../lib/router.js";
import { t } from "../lib/i18n.js";

export const brand = document.documentElement.dataset.brand ?? "";
/** The operator's support address, or "". */
export const support = document.documentElement.dataset.support ?? "";

let movedFor = 0;

/** Names the document: the thing first, then the section. @param {string} title @param {string} [section] */
export function useTitle(title, section) {
    useEffect(() => {
        document.title = [title, section, brand].filter((part, i, all) => part && all.indexOf(part) === i).join(" · ");
    }, [title, section]);
}

/**
 * The heading of a page. After a navigation it takes the focus, so that it is read out and the keyboard starts there.
 * @param {{title: string, name?: string, section?: string, crumb?: any, beside?: any, children?: any}} props `name` is the document's title where it differs
 */
export function Heading({ title, name, section, crumb, beside, children }) {
    const ref = useRef(/** @type {HTMLElement | null} */ (null));
    useTitle(name ?? title, section);
    useLayoutEffect(() => {
        const { moved } = place.peek();
        if (moved === movedFor) return;
        movedFor = moved;
        settleScroll();
        ref.current?.focus({ preventScroll: true });
    }, []);
    return html`<div class="head">
        <div class="what">
            ${crumb && html`<nav class="crumb" aria-label=${t("nav.path")}>${crumb}</nav>`}
            <h1 tabindex="-1" ref=${ref}>${title}</h1>
            ${beside}
        </div>
        ${children}
    </div>`;
}
