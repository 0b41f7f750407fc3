// archbench's command line: which words do what.
#pragma once

namespace archbench {

// Does what the words ask for and returns the exit status. Throws Error and Interrupted.
int obey(int argc, char** argv);

}  // namespace archbench
