import { html, useEffect, useId, useRef } from "../vendor.js";

/**
 * A modal question. Escape and a press outside answer no; the focus returns to where it was.
 * @param {{title: string, onClose: () => void, closable?: boolean, children?: any}} props
 */
export function Dialog({ title, onClose, closable = true, children }) {
    const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
    const id = useId();
    useEffect(() => {
        const dialog = /** @type {HTMLDialogElement} */ (ref.current);
        const before = /** @type {HTMLElement | null} */ (document.activeElement);
        dialog.showModal();
        return () => {
            dialog.close();
            before?.focus?.();
        };
    }, []);
    /** @param {Event} event */
    const cancel = (event) => {
        event.preventDefault();
        if (closable) onClose();
    };
    /** @param {Event} event */
    const outside = (event) => {
        if (closable && event.target === ref.current) onClose();
    };
    return html`<dialog class="dialog" ref=${ref} aria-labelledby=${id} onCancel=${cancel} onClick=${outside}>
        <div class="dialog-body"><h2 id=${id}>${title}</h2>${children}</div>
    </dialog>`;
}
