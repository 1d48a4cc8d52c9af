/** The finished interface as a page: in Electron over the bridge, in a browser over the sidecar that served it. */
import {StrictMode} from 'react';
import {createRoot} from 'react-dom/client';
import type {SidecarApi} from '../../src/contract.js';
import {App} from './app/App.js';
import {browserPlatform, takeToken} from './client/browser.js';
import {electronPlatform} from './client/electron.js';
import './styles/index.css';

const {taskflow} = window as {taskflow?: SidecarApi};
const platform = taskflow === undefined ? browserPlatform(takeToken()) : electronPlatform(taskflow);
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element #app');
createRoot(root).render(
  <StrictMode>
    <App platform={platform} />
  </StrictMode>,
);
