/** What an app that embeds the interface, or parts of it, sees of them. */
import type {ReactNode} from 'react';
import type {SidecarApi} from '../../../src/contract.js';

/** A page that a part would lead to; the app decides whether and how it shows it. */
export type TaskflowPage = 'connection' | 'vault';

export interface TaskflowOptions {
  /** What the preload script exposed. @default window.taskflow */
  readonly api?: SidecarApi | undefined;
  /** Language of the texts, such as `en` or `de-AT`. @default the system's, English where there is no catalogue */
  readonly language?: string | undefined;
}

export interface TaskflowPartsProps extends TaskflowOptions {
  /** Called where a part leads to another page; without it such links are left out. @default none */
  readonly onOpen?: ((page: TaskflowPage) => void) | undefined;
  /** The parts, and whatever the app puts between them. */
  readonly children?: ReactNode;
}

export interface ConnectionFormProps {
  /** Called when a connection has been tested and saved. @default nothing */
  readonly onSaved?: (() => void) | undefined;
  /** Adds a button that leaves the form. @default none */
  readonly onCancel?: (() => void) | undefined;
}
