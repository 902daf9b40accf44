// The widget comes with the build of the web part.
