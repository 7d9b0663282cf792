"""A character learns anew beside the answers, and the new version takes over."""
