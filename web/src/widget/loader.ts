declare const __WIDGET__: string;

console.log(__WIDGET__);
