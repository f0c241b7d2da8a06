/** The one door to the vendored libraries, so that their address stands in one place. */
export {
    html, h, render, Fragment, createContext, useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useId, useErrorBoundary,
    signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect,
} from "../vendor/preact.js";

/**
 * @template T
 * @typedef {import("../vendor/preact.js").Signal<T>} Signal
 */
