// The loader comes with the build of the web part.
