def write_report(manifest, evaluation, path):
    path.write_text("")
