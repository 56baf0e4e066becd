import type { Playback } from "./proto.js";
import type { Sound } from "./sound.js";
import type { PlayerAt, PlayerOptions } from "./worklet.js";
/** What a speaker tells its owner. */
export interface SpeakerOwner {
    /** What the server is to know. */
    playback(p: Playback): void;
    /** Where the player is, about 50 times a second. */
    playing(at: PlayerAt): void;
    /** Samples that were played; only with tap. */
    tapped(item: string, samples: Int16Array): void;
}
export declare class Speaker {
    #private;
    private readonly sound;
    private readonly owner;
    private readonly options;
    /** The player's last report. */
    at: PlayerAt | undefined;
    constructor(sound: Sound, owner: SpeakerOwner, options: PlayerOptions);
    /** Plays audio of an item, after all that was given before. */
    push(item: string, bytes: Uint8Array): void;
    /** Says that all of an item was pushed. */
    end(item: string): void;
    /** Silences an item, and what is still to come of it. */
    clear(item: string): void;
    /** The item that sounds now, and how much of it was heard, in milliseconds. */
    heard(): {
        item_id: string;
        played_ms: number;
    } | undefined;
    dispose(): void;
}
