//! The task executor: performs what is not pure, keeps account of what a step changed, and turns what goes wrong
//! into failures that a script can name.
