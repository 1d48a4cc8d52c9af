import {exposeSidecar} from '@taskflow/electron-bridge/preload';

exposeSidecar();
