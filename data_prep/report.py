def write_report(folder, manifest, spoken, is_target, cast): pass
