/** Main-process entry point. */
export {startSidecar} from './sidecar.js';
export type {RestartPolicy, Sidecar, SidecarEvents, SidecarOptions, SidecarSecrets} from './sidecar.js';
export type {AppIdentity} from './process.js';
export {registerSidecarIpc} from './ipc.js';
export type {InvokeEventLike, IpcMainLike, SenderLike, SidecarIpcOptions} from './ipc.js';
export {CONTENT_SECURITY_POLICY, SECURE_WEB_PREFERENCES, denyByDefault, stopWithApp} from './electron.js';
export type {AppLike, DenyOptions, QuittingAppLike, WebContentsLike} from './electron.js';
export type {KeyCustodyOptions, SafeStorageLike} from './custody.js';
export {EXIT_STATUSES, SidecarError} from './problems.js';
export type {BridgeProblemCode} from './problems.js';
export {SIDECAR_FOLDER, packagedExecutable, platformPackage} from './locate.js';
export type {Command} from './locate.js';
export {installFetch} from './web-fetch.js';
export type {Gateway, GatewayFetch, GatewayOptions, GatewayOwner, GatewayProvider} from './gateway.js';
export type {Answer, Request} from './endpoint.js';
export type {PageClient, SidecarClient} from './client.js';
export type {FollowOptions} from './changes.js';
export type * from './contract.js';
