"""Gluebook: notebooks that become a running AWS pipeline.

Where code runs, from the top; a folder imports only folders on lines below its own:

    cli                                   a terminal
    report                                a notebook or a terminal
    notebook                              JupyterLab, papermill, a Glue session
    job | functions | deployment          a Glue job | Lambda | a terminal
    operations                            a terminal, and the sweep function
    quality | aws | explore               a Glue job | everywhere | a notebook
    core | transforms                     everywhere, without I/O | the tasks of a Glue job
    sources                               the tasks of a Glue job; the functions list it
    contracts
    errors | clock | sample
"""
