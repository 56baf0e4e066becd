/** Who is told. */
export interface WeatherOwner {
    /** The network changed, or the page came back: what was true of the socket may no longer be. */
    changed(): void;
    /** The page is left, for a while or for good. */
    leaving(): void;
}
/** Watches until the function that it returns is called. */
export declare function watchWeather(owner: WeatherOwner): () => void;
