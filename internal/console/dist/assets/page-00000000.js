// The page comes with the build of the web part.
