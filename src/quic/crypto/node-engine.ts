import { type Cipher, type CipherCCM, type CipherGCM, createCipheriv, createDecipheriv } from 'node:crypto';
import type { Arena } from '../base/arena.ts';
import type { CryptoEngine, HeaderBatch, HeaderKey, PacketKey } from './engine.ts';
import { Nonce } from './nonce.ts';
import { TAG_LENGTH } from './suite.ts';
