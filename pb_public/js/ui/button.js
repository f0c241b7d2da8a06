import { html } from "../vendor.js";

/**
 * A button that says when it works. While busy it keeps its place in the tab order and does nothing.
 * @param {{busy?: boolean, disabled?: boolean, why?: string, kind?: string, type?: string, onClick?: (event: Event) => void, children?: any, [more: string]: any}} props
 */
export function Button({ busy = false, disabled = false, kind = "", type = "button", onClick, children, class: extra = "", ...more }) {
    const off = busy || disabled;
    /** @param {Event} event */
    const press = (event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
    };
    return html`<button type=${type} class=${`btn ${kind} ${extra}`} aria-disabled=${off ? "true" : undefined} aria-busy=${busy ? "true" : undefined} onClick=${press} ...${more}>
        ${busy && html`<span class="spin" aria-hidden="true"></span>`}${children}
    </button>`;
}
